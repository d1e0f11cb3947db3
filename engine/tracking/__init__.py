"""What a run tells the tools that follow it: wandb, TensorBoard, MLflow; and what it never tells them."""
