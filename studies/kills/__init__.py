"""Study of kills: folds, preprocessing, encoding and reports are ended at any moment and gone on with."""
