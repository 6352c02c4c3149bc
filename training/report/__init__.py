"""Records of runs and evaluations -> tables in training/results/ and the README's scores."""
