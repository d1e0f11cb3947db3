"""Which features a fitted estimator uses, on people it was not fitted on, added up by what they measure."""
