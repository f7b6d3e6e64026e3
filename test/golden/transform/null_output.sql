SELECT id, NULL AS s FROM orders
