SELECT x.id FROM orders
