"""Classical scikit-learn estimators on series or features, fitted within a fold."""
