"""Study of interruptions: trainings are ended at any moment, resumed, and compared with unbroken ones."""
