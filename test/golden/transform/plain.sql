SELECT id AS order_id, Amount FROM orders
