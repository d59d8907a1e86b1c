"""Four tasks that take ten minutes, in four workers."""

import time
from concurrent.futures import ProcessPoolExecutor

if __name__ == "__main__":
    with ProcessPoolExecutor(max_workers=4) as executor:
        list(executor.map(time.sleep, [600] * 4))
