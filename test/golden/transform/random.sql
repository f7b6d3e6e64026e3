SELECT * FROM orders WHERE random() < 0.5
