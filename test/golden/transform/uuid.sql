SELECT id, uuid() AS u FROM orders
