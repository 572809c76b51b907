"""Endings of the files that cubes and labels are read from, in lower case, by format.

A new format gets its endings here, and its reader in :mod:`hsiaug.data.readers`.
"""

ENVI = (".hdr", ".img", ".dat", ".raw", ".bsq", ".bil", ".bip")
"""A header, or the data file beside it."""
ENVI_DATA = (*ENVI[1:], ".pix", ".bin", ".sli", ".hyspex")
"""The data file beside a header; the last four are found by their header alone."""
TIFF = (".tif", ".tiff")
ARRAYS = (".mat", ".npy")
"""Arrays without a place on Earth, whose axes may come in any order."""
PICTURES = (".png", ".bmp")
"""Codes of classes as a picture."""
HDF = (".he5", ".h5", ".hdf5", ".nc", ".nc4")
"""HDF5 and netCDF: products of instruments, as EMIT and PRISMA."""
CUBES = (*ENVI, *TIFF, *ARRAYS, *HDF)
"""Files that are taken for a cube."""
IMAGES = (*TIFF, *PICTURES)
"""Files of labels with one band."""
LAYERS = (
    *(".gpkg", ".shp", ".kml", ".kmz", ".gml", ".fgb", ".gpx", ".dxf", ".tab", ".mif", ".sqlite"),
    *(".geoparquet", ".topojson"),
)
"""Layers of a GIS: those of :mod:`hsiaug.data.layers` are read, others must be exported first."""
