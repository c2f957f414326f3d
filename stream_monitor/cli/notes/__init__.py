"""What commands say beside their results: warnings about a plan, and totals, scores and pictures of a backtest."""
