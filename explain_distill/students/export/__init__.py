"""Students in forms that run without this package: rules, JSON, SQL, Python, Graphviz, ONNX."""
