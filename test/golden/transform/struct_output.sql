SELECT id, {'a': 1} AS s FROM orders
