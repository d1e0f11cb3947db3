"""Classical estimators, fitted inside a fold: scikit-learn objects that read series or features."""
