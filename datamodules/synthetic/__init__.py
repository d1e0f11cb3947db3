"""A longitudinal cohort that exists nowhere: latent truth, drawn faces, real encoded video."""
