/** Errors of data sets and images. */
import { define, type Definition } from './definition.js';

export const DATA_ERRORS = {
  DATA_NOT_A_DIRECTORY: define(
    '{path} is not a directory',
    'give --data the folder that holds train/ and test/ (or val/)',
  ),
  DATA_NO_SPLIT: define('{path} has no {split} folder', '{advice}'),
  DATA_NOTHING_TO_EVALUATE: define(
    '{path} has neither val nor test images: without them the best weights cannot be chosen',
    'put images into {path}/test/CLASS, or use a share of the training images: --val-split 0.1',
  ),
  DATA_VAL_TWICE: define(
    '{path} holds both {val} and {other}, two names of the validation images',
    'keep one of the two folders',
  ),
  DATA_VAL_EXISTS: define(
    '{path} holds validation images in {val}, and --val-split takes others from train',
    'leave out --val-split, or move {val} away',
  ),
  DATA_EMPTY: define(
    '{path} holds no images',
    'put images (jpg, jpeg, jfif, png, webp, bmp, tif, tiff, ppm, pgm, pbm, gif) into one folder per class',
  ),
  DATA_EMPTY_CLASS: define(
    'a class folder without images: {path}',
    'add images to it or remove the folder, in every split',
  ),
  DATA_ONE_CLASS: define(
    '{path} has only the class "{className}"',
    'a classifier needs at least two class folders',
  ),
  DATA_CLASSES_DIFFER: define(
    'the class folders of {split} differ from those of train: {difference}',
    'use the same class folders in both splits',
  ),
  DATA_OTHER_CLASSES: define(
    'the classes in {path} are not those of the checkpoint: {difference}',
    'evaluate on a folder with the class folders that the model was trained on',
  ),
  DATA_UNREADABLE: define('cannot read {path}: {reason}', 'check the file and its permissions'),
  DATA_UNUSABLE_FILES: define(
    '{count} of the files in {path} cannot be used: {list}',
    'repair or remove them, or leave them out: vitrail data check DIR --write-exclude broken.txt, then --exclude broken.txt',
  ),
  DATA_BROKEN_IMAGE: define(
    'cannot decode the image {path}: {reason}',
    'repair or remove the file; to train without it: vitrail data check DIR --write-exclude broken.txt, then vitrail train --exclude broken.txt; to evaluate without it: vitrail evaluate --skip-broken',
  ),
  DATA_ALL_BROKEN: define(
    'no image in {path} can be decoded ({images} tried)',
    'the lines above give the reason for each; `vitrail data check` does the same for a data set',
  ),
  DATA_MANIFEST_MISMATCH: define(
    "this worker's files differ from the coordinator's: {difference}",
    'give every worker the same data set',
  ),
  DATA_NOT_ON_THIS_MACHINE: define(
    'the coordinator has its images in {path}, and this machine ({host}) has no such folder',
    "start the worker with --data and this machine's folder of the same images, or put the images at the same path on every machine",
  ),
  DATA_EXCLUDE_UNKNOWN: define(
    'the exclude list {path} names {entry}, which is not in the data set',
    'paths in it are relative to the data folder; write it again with vitrail data check',
  ),
  DATA_LOADER_TIMEOUT: define(
    'the image loader did not deliver {batch} within {waitedMs} ms',
    'check that the disk of the data folder answers and that the machine is not overloaded',
  ),
  DATA_LOADER_STOPPED: define(
    'the image loader stopped: {reason}',
    'start the worker again; the run goes on from the last commit',
  ),
  DATA_WRITE_FAILED: define('cannot write {path}: {reason}', 'check free space and permissions'),
} as const satisfies Record<string, Definition>;
