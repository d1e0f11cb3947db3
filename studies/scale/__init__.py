"""Small-sample optimism: models on 50 to 11,000 persons."""
