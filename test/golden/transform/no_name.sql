SELECT id, amount * 2 FROM orders
