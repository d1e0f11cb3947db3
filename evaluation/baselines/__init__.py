"""What can be had without the network: constants, nuisance, and the oracle of the made cohort."""
