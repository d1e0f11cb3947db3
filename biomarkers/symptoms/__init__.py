"""Symptoms from questionnaire items: discrepancy between persons, its uncertainty, reliability, clusters."""
