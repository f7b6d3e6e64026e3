SELECT amount, note FROM orders
