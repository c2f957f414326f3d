"""Traffic made to order: scenarios, generators, a broker of one's own, and the demo."""
