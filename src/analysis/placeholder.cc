// Keeps the folder a target until its first source is there.
