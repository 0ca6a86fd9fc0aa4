package vault

import (
	"context"

	"tacet"
	"tacet/internal/guard"
)

// moveStage attaches a label to version to, taking it from its holder. When
// AWSCURRENT moves, the version it leaves gets AWSPREVIOUS; custom labels stay where
// they are.
func moveStage(sec *tacet.Secret, stage tacet.Stage, to tacet.VersionID) {
	from, held := sec.Stages[stage]
	if held && from == to {
		return
	}
	sec.Stages[stage] = to
	if stage != tacet.StageCurrent {
		return
	}
	if held {
		sec.Stages[tacet.StagePrevious] = from
	} else if sec.Stages[tacet.StagePrevious] == to {
		delete(sec.Stages, tacet.StagePrevious)
	}
}

// attachNew labels a version that was just put. A new current version takes
// AWSPENDING from the version it replaces: a manual change ends a rotation.
func attachNew(sec *tacet.Secret, id tacet.VersionID, stages []tacet.Stage) error {
	if len(stages) == 0 {
		stages = []tacet.Stage{tacet.StageCurrent}
	}
	old, had := sec.Stages[tacet.StageCurrent]
	current := !had
	for _, st := range stages {
		current = current || st == tacet.StageCurrent
	}
	if current {
		moveStage(sec, tacet.StageCurrent, id)
		if had && sec.Stages[tacet.StagePending] == old {
			delete(sec.Stages, tacet.StagePending)
		}
	}
	for _, st := range stages {
		if st == tacet.StagePrevious && current && had {
			continue // it has just gone to the version that was current
		}
		moveStage(sec, st, id)
	}
	return checkStages(sec)
}

func checkStages(sec *tacet.Secret) error {
	if len(sec.Stages) > tacet.MaxStages {
		return tacet.Errorf(tacet.LimitExceeded, "You can't attach more than %d staging labels to a secret.", tacet.MaxStages)
	}
	return nil
}

// UpdateSecretVersionStage moves a label from one version to another, attaches it or
// removes it. A failing call leaves every label where it was.
//
// Errors: SecretNotFound, SecretMarkedDeleted, ReplicaReadOnly, VersionNotFound,
// StageHolderMissing, StageHolderWrong, CurrentNotRemovable, StageVersionsMissing,
// LimitExceeded.
func (s *Service) UpdateSecretVersionStage(ctx context.Context, call tacet.Call, in UpdateStageInput) (Named, error) {
	r := request(call, tacet.OpUpdateSecretVersionStage, in.Secret)
	parameter(&r, "versionStage", string(in.Stage))
	parameter(&r, "removeFromVersionId", string(in.RemoveFrom))
	parameter(&r, "moveToVersionId", string(in.MoveTo))
	condition(&r, "secretsmanager:versionstage", string(in.Stage))
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (Named, error) {
		sec, err := writable(tx)
		if err != nil {
			return Named{}, err
		}
		if err := updateStage(tx, sec, in); err != nil {
			return Named{}, err
		}
		if err := followTags(tx, sec); err != nil {
			return Named{}, err
		}
		if err := store(tx, sec); err != nil {
			return Named{}, err
		}
		respond(tx, sec, "")
		return named(tx, sec), nil
	})
}

func updateStage(tx *guard.Tx, sec *tacet.Secret, in UpdateStageInput) error {
	holder, held := sec.Stages[in.Stage]
	if in.MoveTo == "" && in.RemoveFrom == "" {
		return &tacet.Error{Code: tacet.StageVersionsMissing}
	}
	if in.MoveTo != "" {
		if _, err := tx.Version(in.MoveTo); err != nil {
			return err
		}
	}
	switch {
	case held && in.RemoveFrom == "" && in.MoveTo != holder:
		return &tacet.Error{Code: tacet.StageHolderMissing, Stage: in.Stage, Version: holder}
	case in.RemoveFrom != "" && (!held || in.RemoveFrom != holder):
		return &tacet.Error{Code: tacet.StageHolderWrong, Stage: in.Stage}
	case in.MoveTo == "" && in.Stage == tacet.StageCurrent:
		return &tacet.Error{Code: tacet.CurrentNotRemovable}
	case in.MoveTo == "":
		delete(sec.Stages, in.Stage)
		return nil
	}
	moveStage(sec, in.Stage, in.MoveTo)
	return checkStages(sec)
}
