"""`python -m lingshu_train`, which is how `torchrun -m lingshu_train` starts every rank."""

from lingshu_train.cli import main

if __name__ == "__main__":
    main()
