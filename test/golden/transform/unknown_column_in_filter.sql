SELECT * FROM orders WHERE stauts = 'x'
