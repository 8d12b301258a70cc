"""What commands share: options, messages, devices, the guard around them, and the runs that they carry out."""
