SELECT id, now() AS seen FROM orders
