"""What a config may name as `_target_`: a closed list for checkpoints, a wider one for the user's own config.

Both are text. Whoever adds a network, head, loss, sampler or corpus adds its line to `CHECKPOINT`, or a
checkpoint of it cannot be read again; `train.py` says so before it starts.
"""


def _names(groups: dict[str, str]) -> frozenset[str]:
    """Dotted paths of names that are listed by module, with spaces between them."""
    return frozenset(f"{module}.{name}" for module, names in groups.items() for name in names.split())


# A checkpoint may come from a stranger, so each entry takes plain values only and does nothing but build: no
# layer here opens a file, and what could open or download one (`weights`) is refused by `signatures`.
NETWORKS = _names(
    {
        "models.task": "Task",
        "models.mpdrm.network": "MPDRM",
        "models.mpdrm.branches": "MDFN MPFN",
        "models.fusion.gated": "GatedSets",
        "models.fusion.late": "LateFusion OneSet",
        "models.inputs": "Appearance FrameDifference Levels Delta Tokens",
        "models.trunks.encoded": "EncodedTrunk",
        "models.trunks.frames": "FramesTrunk",
        "models.trunks.pixels": "PixelTrunk",
        "models.trunks.readout": "SpatialReadout TokenReadout",
        "models.trunks.series": "SeriesTrunk",
        "models.trunks.video": "VideoTrunk",
        "models.trunks.vit_video": "VitVideoTrunk",
        "models.zoo.attention.li_fpn": "LIFPNTrunk",
        "models.zoo.attention.lmtformer": "LMTformerTrunk",
        "models.zoo.attention.pra_net": "PRANetTrunk",
        "models.zoo.convolutional.mdn": "MDNTrunk",
        "models.zoo.convolutional.msn": "MSNTrunk",
        "models.zoo.convolutional.sta_drn": "STADRNTrunk",
        "models.zoo.graph.dep_mgnn": "DepMGNNTrunk",
        "models.zoo.sequence.facial_pulse": "FacialPulseTrunk",
        "models.zoo.sequence.inception_time": "InceptionTimeTrunk",
        "models.zoo.sequence.lstm": "LSTMTrunk",
        "models.zoo.sequence.state_space": "StateSpaceTrunk",
        "models.zoo.sequence.tcn": "TCNTrunk",
        "models.mpdrm.mmp": "MMPMaps MMPSeries",
        "models.mpdrm.group_relation": "GroupRelation",
        "models.mpdrm.part_relation": "PartReadout",
        "models.mpdrm.context": "CalibratedContext ClipContext EnrolmentContext",
        "models.tuning": "Freeze LoRA",
        "models.mpdrm.attentive_pool": "AttentivePool",
        "models.mpdrm.rarm": (
            "AttentionPool MeanPool RelationBoth RelationCross RelationGate RelationProjection"
        ),
        "models.heads": "ScoreHead BinaryHead OrdinalHead",
        "models.objective": "Objective",
        "models.losses.orthogonality": "Orthogonality",
        "models.losses.reversal": "PersonalityAdversary",
        "models.losses.severity_contrast": "SeverityContrast",
        "models.losses.supcon": "SupCon",
        "models.losses.traits": "TraitLoss",
        "evaluation.metrics.streaming": "RecordingMetrics",
    }
)
"""What `model` of a checkpoint is built of."""

# These open the files that a manifest names; the cohorts below are read under the user's `paths.data` only.
LOADERS = _names(
    {
        "datamodules.datamodule": "ClipDataModule",
        "datamodules.clips.dataset": "PixelClips SeriesClips",
        "datamodules.clips.feature_sets.source": "FeatureSetClips",
        "datamodules.clips.faces": "FaceClips",
        "datamodules.clips.regions": "RegionClips",
        "datamodules.clips.tokens": "TokenClips",
        "datamodules.readers.video_source": "VideoSource",
        "datamodules.clips.samplers": "RandomClips UniformClips DenseClips",
        "datamodules.clips.augmentation.series": "SeriesAugment",
        "datamodules.clips.transforms": "ClipAugment Normalize",
    }
)
"""What `data.module` of a checkpoint is built of."""

SYNTHETIC = "datamodules.synthetic.cohort.synthetic_manifest"
_CORPORA = (
    "adodas avec2013 avec2014 cmdc daic_woz dvlog edaic first_impressions folder joined lmvd mpdd mpdd_avg"
)
COHORTS = {SYNTHETIC} | _names(
    {
        "datamodules.manifests.manifest": "read_manifest",
        "datamodules.synthetic.extracted": "extracted",
        "datamodules.synthetic.feature_sets": "feature_sets",
        "datamodules.manifests.transforms.permuted": "permuted",
        "datamodules.manifests.transforms.rescaled": "rescaled",
        "datamodules.manifests.transforms.keep_labels": "keep_labels",
        **{f"datamodules.sources.{corpus}": "read" for corpus in _CORPORA.split()},
    }
)
"""What `data.manifest` of a checkpoint is built of, below `paths.data` only; see `cohort.restored_data`."""

# They run networks of this machine on videos that the user names, and write below the user's folder.
PIPELINE = {
    "face": _names(
        {
            "preprocessing.faces.litert": "LitertFaces",
            "preprocessing.faces.torch_faces": "TorchFaces",
            "preprocessing.faces.precomputed": "PrecomputedFaces",
        }
    ),
    "aligner": _names({"preprocessing.alignment.aligner": "Aligner"}),
    "quality": _names({"preprocessing.quality.gate": "QualityGate"}),
    "store": _names({"preprocessing.stores.h264": "H264Store", "preprocessing.stores.raw": "RawStore"}),
}
"""What the recorded pipeline of a checkpoint is built of, part by part, where raw videos are predicted."""

CHECKPOINT = NETWORKS | LOADERS | COHORTS
"""All that a checkpoint may name. Trainer, callbacks, loggers, optimizers and paths are the user's own."""

PARTIAL = _names(
    {
        "models.mpdrm.mmp": "MMPMaps MMPSeries",
        "models.mpdrm.group_relation": "GroupRelation",
        "models.mpdrm.part_relation": "PartReadout",
        "models.trunks.readout": "SpatialReadout TokenReadout",
        "datamodules.datamodule": "ClipDataModule",
    }
)
"""Those of them that `conf/` asks for with `_partial_: true`."""

OWN = (
    "analysis.steps",
    "biomarkers",
    "models",
    "datamodules.sources",
    "datamodules.splits.cross_corpus",
    "datamodules.splits.cross_validation",
    "datamodules.splits.longitudinal",
    "datamodules.splits.protocols",
    "engine.sweeping.grid",
    "engine.tracking.mlflow_tracker",
    "engine.tracking.tensorboard_tracker",
    "engine.tracking.wandb_tracker",
    "engine.training.callbacks",
    "engine.training.csv_logger",
    "engine.training.early_stopping",
    "engine.training.ema",
    "engine.training.sharded",
    "preprocessing",
    *sorted({name.rpartition(".")[0] for name in CHECKPOINT}),
)
"""Packages, or single modules, of this checkout whose own definitions the user's config may build."""

NOT_OWN = ("datamodules.sources.trees",)
"""What lies in them and makes files for tests."""

# Name by name, not by package: beside its layers and optimizers torch has functions that load and run code.
THIRD_PARTY = _names(
    {
        "torch.optim": (
            "Adadelta Adafactor Adagrad Adam AdamW Adamax ASGD LBFGS NAdam RAdam RMSprop Rprop SGD"
        ),
        "torch.optim.lr_scheduler": (
            "ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR LinearLR "
            "MultiStepLR OneCycleLR PolynomialLR ReduceLROnPlateau StepLR"
        ),
        "torch.nn": "GELU ReLU SiLU LayerNorm BatchNorm1d BatchNorm2d GroupNorm Identity",
        "sklearn.cluster": "KMeans",
        "sklearn.ensemble": (
            "ExtraTreesClassifier ExtraTreesRegressor RandomForestClassifier RandomForestRegressor"
        ),
        "sklearn.linear_model": "LogisticRegression",
        "sklearn.mixture": "GaussianMixture",
        "sklearn.neighbors": "KNeighborsClassifier",
        "sklearn.svm": "LinearSVC SVR",
        "optuna.pruners": "HyperbandPruner MedianPruner PercentilePruner SuccessiveHalvingPruner",
        "optuna.samplers": "CmaEsSampler GPSampler NSGAIISampler QMCSampler RandomSampler TPESampler",
        "pytorch_lightning": "Trainer",
        "pytorch_lightning.callbacks": (
            "ModelCheckpoint EarlyStopping LearningRateMonitor DeviceStatsMonitor StochasticWeightAveraging "
            "TQDMProgressBar RichProgressBar ModelSummary Timer"
        ),
        "pytorch_lightning.loggers": "CSVLogger TensorBoardLogger WandbLogger",
        "pytorch_lightning.profilers": "SimpleProfiler AdvancedProfiler PyTorchProfiler",
        "pytorch_lightning.strategies": "DDPStrategy FSDPStrategy SingleDeviceStrategy",
    }
)
"""Callables of other packages that the user's config may build."""
