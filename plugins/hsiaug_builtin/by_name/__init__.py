"""Any estimator of a library by its name: ``sklearn:MODULE.CLASS`` classifies, ``imblearn:CLASS``
over-samples.
"""
