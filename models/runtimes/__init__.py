"""What runs a network: TensorFlow, or a runtime that starts faster and needs less memory.

graph.py        a network as a list of plain operations, beside the weights that Keras reads too
openvino.py     such a graph in OpenVINO: the default
gradients.py    such a graph in numpy with its gradient: Grad-CAM without TensorFlow
head_parts.py   the members of a head and their attention weights, in numpy
tensorflow.py   the networks as Keras builds them: training, Grad-CAM++ and the fallback
"""
