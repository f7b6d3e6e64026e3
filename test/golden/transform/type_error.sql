SELECT id, note * 2 + [1] AS n FROM orders
