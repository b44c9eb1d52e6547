"""See the emotion of a face with a model: classes, person by person."""
