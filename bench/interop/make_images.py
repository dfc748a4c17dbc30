"""Draws a small data set with images of uneven sizes, JPEG and PNG, for the models that run.sh trains and exports.

    python make_images.py OUT

OUT gets train/ and test/, each with a folder for each of as many classes as the models of make_models.py have.
"""

import pathlib
import sys

import numpy
from PIL import Image, ImageDraw

CLASSES = ['apple', 'bee', 'cat', 'Löwe', 'two words', 'x,y', 'zebra']
# Wide, tall, square, small, and sides that leave an odd number of pixels beside a centre crop.
SIZES = [(90, 64), (61, 97), (300, 300), (40, 33), (257, 191), (120, 251)]


def picture(label, index, size):
    random = numpy.random.Generator(numpy.random.PCG64([label, index]))
    width, height = size
    ground = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=numpy.uint8)
    image = Image.fromarray(ground).resize(size, Image.Resampling.BICUBIC)
    colour = tuple(int(value) for value in random.integers(0, 256, 3))
    box = (width * 0.2, height * 0.2, width * 0.8, height * 0.8)
    draw = ImageDraw.Draw(image)
    if label % 2 == 0:
        draw.ellipse(box, fill=colour)
    else:
        draw.regular_polygon((width / 2, height / 2, min(size) * 0.4), 3 + label, fill=colour)
    return image


out = pathlib.Path(sys.argv[1])
for label, name in enumerate(CLASSES):
    for part, images in (('train', 4), ('test', 2)):
        folder = out / part / name
        folder.mkdir(parents=True)
        for at in range(images):
            index = at + (4 if part == 'test' else 0)
            image = picture(label, index, SIZES[(label + index) % len(SIZES)])
            if index % 2 == 0:
                image.save(folder / f'{index}.png')
            else:
                image.save(folder / f'{index}.jpg', quality=92)
