"""A protocol: training pixels lie along straight walks across the scene, as labels do that are
taken on foot.
"""

import numpy as np

from hsiaug.api import Card, Draw, Entry, SplitProtocol, hookimpl


class Transects(SplitProtocol):
    """``transects:3`` trains on the labelled pixels that three random rows or columns of the scene
    cross.

    A class that none of them crosses gives the pixel that lies nearest to one.
    """

    card = Card(
        name="transects", version="1", summary="Pixels along random rows and columns of the scene"
    )
    usage = "transects:COUNT, as transects:3"
    takes = "number"
    example = "3"

    def draw(self, scene, seed, patch):
        rng = self.rng(scene, seed)
        rows, columns = np.indices(scene.shape)
        away = np.full(scene.shape, np.inf)
        for _ in range(int(self.argument)):
            axis = rng.integers(2)
            place = rng.integers(scene.shape[axis])
            away = np.minimum(away, np.abs((rows, columns)[axis] - place))
        train = np.zeros(scene.shape, dtype=bool)
        for c in scene.class_ids:
            own = scene.labels == c
            if own.any():
                train |= own & (away == away[own].min())
        # Every other labelled pixel is tested, but for those round a training pixel: hsiaug leaves
        # these out.
        return Draw(train, np.zeros_like(train))


@hookimpl
def hsiaug_plugins():
    return [Entry("protocol", "transects", "transects:Transects")]
