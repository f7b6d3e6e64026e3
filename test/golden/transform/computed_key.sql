SELECT id + 1 AS id, note FROM orders
