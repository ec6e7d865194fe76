"""From a trained model to another one: fine-tuned on new text, taught by a larger one, or with text that was translated back.

Each is something in front of training, which is what it always is: settings, and text that models have made.
"""
