"""What is wrong with parallel text: faults, filters, and the doctor that counts them."""
