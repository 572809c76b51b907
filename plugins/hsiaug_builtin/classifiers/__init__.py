"""Supervised classifiers: SVM, trees, networks from 1D-CNN to transformer, spatial–spectral
classics, controls, fused.
"""

from hsiaug_builtin import listing

PLACES = {
    "svm": "classifiers.svm:Svm",
    "rf": "classifiers.forest:Forest",
    "hgb": "classifiers.estimators:Boosting",
    "cnn2d": "classifiers.networks:Cnn2d",
    "centre-cnn": "classifiers.centre:CentreCnn",
    "cnn1d": "classifiers.networks:Cnn1d",
    "cnn3d": "classifiers.networks:Cnn3d",
    "hybridsn": "classifiers.networks:HybridSn",
    "ssrn": "classifiers.networks:Ssrn",
    "spectralformer": "classifiers.networks:SpectralFormer",
    "timm": "classifiers.backbone:Timm",
    "coords": "classifiers.location:Location",
    "teacher": "teacher.classifier:TeacherClassifier",
    "fused": "teacher.fused:Fused",
    "emp": "spatial.emp:Emp",
    "filtered": "spatial.filtered:Filtered",
    "superpixel": "spatial.filtered:Superpixel",
    "random-walk": "spatial.filtered:RandomWalk",
    "sklearn": "by_name.classifier:Sklearn",
}
hsiaug_plugins = listing("classifier", PLACES, controls=("coords", "teacher"))
