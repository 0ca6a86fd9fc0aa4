package vault

import (
	"context"
	"fmt"
	"slices"

	"tacet"
	"tacet/internal/guard"
)

// A replica is a secret of its own in the vault of another region, with the
// primary's name and suffix and its values sealed again under its own vault's key. It
// changes in the same transaction as its primary, so it is never behind.

func replicaConditions(r *guard.Request, replicas []ReplicaRequest, force bool) {
	regions := make([]string, len(replicas))
	for i, rep := range replicas {
		regions[i] = rep.Region
	}
	r.Parameters["addReplicaRegions"] = regions
	condition(r, "secretsmanager:addreplicaregions", regions...)
	if force {
		r.Parameters["forceOverwriteReplicaSecret"] = true
	}
}

// ensureRegions makes the vaults of further regions on a development server.
func (s *Service) ensureRegions(ctx context.Context, call tacet.Call, replicas []ReplicaRequest) error {
	for _, rep := range replicas {
		if err := s.g.EnsureVault(ctx, call.Account, rep.Region); err != nil {
			return err
		}
	}
	return nil
}

// ReplicateSecretToRegions copies a secret to further regions of its account.
//
// Errors: ReplicaRegionInvalid, KMSKeyUnsupported, SecretNotFound,
// SecretMarkedDeleted, ReplicaReadOnly. A name that is taken in a region is not an
// error but the state Failed of that replica.
func (s *Service) ReplicateSecretToRegions(ctx context.Context, call tacet.Call, in ReplicateInput) (ReplicationOutput, error) {
	r := request(call, tacet.OpReplicateSecretToRegions, in.Secret)
	condition(&r, "secretsmanager:forceoverwritereplicasecret", btoa(in.ForceOverwrite))
	replicaConditions(&r, in.Replicas, in.ForceOverwrite)
	if err := s.ensureRegions(ctx, call, in.Replicas); err != nil {
		return ReplicationOutput{}, err
	}
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (ReplicationOutput, error) {
		sec, err := writable(tx)
		if err != nil {
			return ReplicationOutput{}, err
		}
		if sec, err = replicate(tx, sec, in.Replicas, in.ForceOverwrite); err != nil {
			return ReplicationOutput{}, err
		}
		tx.Respond("arn", sec.ARN(tx.Vault()))
		return ReplicationOutput{ARN: sec.ARN(tx.Vault()), Replicas: inProgress(sec, in.Replicas)}, nil
	})
}

// replicate adds replicas to a primary and stores it. It returns the stored primary.
func replicate(tx *guard.Tx, sec *tacet.Secret, replicas []ReplicaRequest, force bool) (*tacet.Secret, error) {
	for _, rep := range replicas {
		v, ok := tx.RegionVault(rep.Region)
		if !ok || rep.Region == tx.Vault().Region {
			return nil, &tacet.Error{Code: tacet.ReplicaRegionInvalid, Region: rep.Region}
		}
		if err := checkKey(rep.KMSKeyID, v.Account, v.Region); err != nil {
			return nil, err
		}
		state, err := replicateTo(tx, sec, v, force)
		if err != nil {
			return nil, err
		}
		sec.Replicas = append(withoutRegion(sec.Replicas, rep.Region), state)
	}
	sec.PrimaryRegion = tx.Vault().Region
	sec.Changed = tx.Now()
	return sec, tx.PutSecret(sec)
}

func replicateTo(tx *guard.Tx, sec *tacet.Secret, v tacet.Vault, force bool) (tacet.Replica, error) {
	old, err := tx.Related(v.ID, sec.Name)
	if err != nil {
		return tacet.Replica{}, err
	}
	if old != nil && old.ReplicaOf == sec.ID {
		return tacet.Replica{Region: v.Region, Secret: old.ID, Status: tacet.ReplicaInSync}, nil
	}
	if old != nil && (!force || v.PurgeProtection || len(old.Replicas) > 0 || old.IsReplica()) {
		msg := fmt.Sprintf("Replication failed: Secret name %s already exists in region %s.", sec.Name, v.Region)
		return tacet.Replica{Region: v.Region, Status: tacet.ReplicaFailed, Message: msg}, nil
	}
	if old != nil {
		tx.DeleteSecret(old)
		tx.Event(tacet.OpPurgeSecret, old.ARN(v))
	}
	copied := mirror(tx, sec, &tacet.Secret{ID: tacet.SecretID(tx.NewID()), Vault: v.ID, Name: sec.Name, Suffix: sec.Suffix,
		ReplicaOf: sec.ID, Created: tx.Now()})
	copied.PrimaryRegion = tx.Vault().Region
	if err := tx.PutSecret(copied); err != nil {
		return tacet.Replica{}, err
	}
	return tacet.Replica{Region: v.Region, Secret: copied.ID, Status: tacet.ReplicaInSync}, tx.CopyVersions(sec, copied)
}

// mirror gives a replica what its primary has.
func mirror(tx *guard.Tx, from, to *tacet.Secret) *tacet.Secret {
	src := from.Clone()
	to.Description, to.Type, to.Tags, to.Policy = src.Description, src.Type, src.Tags, src.Policy
	to.Attributes, to.VersionTags = src.Attributes, src.VersionTags
	to.Stages, to.Versions, to.Rotated, to.OwningService = src.Stages, src.Versions, src.Rotated, src.OwningService
	to.Changed = tx.Now()
	return to
}

// inProgress is the state of a primary's replicas as the request that asked for some of
// them is answered.
func inProgress(sec *tacet.Secret, asked []ReplicaRequest) []tacet.Replica {
	out := slices.Clone(sec.Replicas)
	for i, rep := range out {
		if rep.Status == tacet.ReplicaInSync && slices.ContainsFunc(asked, func(r ReplicaRequest) bool { return r.Region == rep.Region }) {
			out[i].Status = tacet.ReplicaInProgress
		}
	}
	return out
}

// withReplicas adds when each copy of a primary was last read.
func withReplicas(v *guard.Snapshot, sec *tacet.Secret) (*tacet.Secret, error) {
	if len(sec.Replicas) == 0 {
		return sec, nil
	}
	sec = sec.Clone()
	for i, rep := range sec.Replicas {
		there, ok := v.RegionVault(rep.Region)
		if !ok || rep.Status == tacet.ReplicaFailed {
			continue
		}
		copied, err := v.Related(there.ID, sec.Name)
		if err != nil {
			return nil, err
		}
		if copied != nil {
			sec.Replicas[i].Accessed = copied.Accessed
		}
	}
	return sec, nil
}

// eachReplica visits the replicas a primary has.
func eachReplica(tx *guard.Tx, sec *tacet.Secret, visit func(tacet.Vault, *tacet.Secret) error) error {
	for _, rep := range sec.Replicas {
		v, ok := tx.RegionVault(rep.Region)
		if !ok || rep.Status == tacet.ReplicaFailed {
			continue
		}
		copied, err := tx.Related(v.ID, sec.Name)
		if err != nil {
			return err
		}
		if copied == nil || copied.ReplicaOf != sec.ID {
			continue
		}
		if err := visit(v, copied); err != nil {
			return err
		}
	}
	return nil
}

// propagate brings the replicas of a changed primary up to date.
func propagate(tx *guard.Tx, sec *tacet.Secret, versions []tacet.VersionID) error {
	return eachReplica(tx, sec, func(_ tacet.Vault, copied *tacet.Secret) error {
		copied = mirror(tx, sec, copied.Clone())
		if err := tx.PutSecret(copied); err != nil {
			return err
		}
		for _, id := range versions {
			if err := tx.CopyVersion(sec, copied, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveRegionsFromReplication deletes the replicas in the regions; a region without
// one is passed over. Errors: SecretNotFound, SecretMarkedDeleted, ReplicaReadOnly.
func (s *Service) RemoveRegionsFromReplication(ctx context.Context, call tacet.Call, ref tacet.SecretRef, regions []string) (ReplicationOutput, error) {
	r := request(call, tacet.OpRemoveRegionsFromReplication, ref)
	r.Parameters["removeReplicaRegions"] = regions
	return guard.Do(ctx, s.g, r, func(tx *guard.Tx) (ReplicationOutput, error) {
		sec, err := writable(tx)
		if err != nil {
			return ReplicationOutput{}, err
		}
		remove := map[string]bool{}
		for _, region := range regions {
			remove[region] = true
		}
		err = eachReplica(tx, sec, func(v tacet.Vault, copied *tacet.Secret) error {
			if remove[v.Region] {
				tx.DeleteSecret(copied)
				tx.Event(tacet.OpPurgeSecret, copied.ARN(v))
			}
			return nil
		})
		if err != nil {
			return ReplicationOutput{}, err
		}
		for region := range remove {
			sec.Replicas = withoutRegion(sec.Replicas, region)
		}
		if len(sec.Replicas) == 0 {
			sec.Replicas, sec.PrimaryRegion = nil, ""
		}
		sec.Changed = tx.Now()
		tx.Respond("arn", sec.ARN(tx.Vault()))
		return ReplicationOutput{ARN: sec.ARN(tx.Vault()), Replicas: sec.Replicas}, tx.PutSecret(sec)
	})
}

// StopReplicationToReplica makes a replica a secret of its own. It is called in the
// replica's region. Errors: SecretNotFound, SecretMarkedDeleted, NotAReplica.
func (s *Service) StopReplicationToReplica(ctx context.Context, call tacet.Call, ref tacet.SecretRef) (Named, error) {
	return guard.Do(ctx, s.g, request(call, tacet.OpStopReplicationToReplica, ref), func(tx *guard.Tx) (Named, error) {
		sec, err := live(tx)
		if err != nil {
			return Named{}, err
		}
		if !sec.IsReplica() {
			return Named{}, &tacet.Error{Code: tacet.NotAReplica, Secret: sec.Name}
		}
		if err := leavePrimary(tx, sec); err != nil {
			return Named{}, err
		}
		sec.ReplicaOf, sec.PrimaryRegion, sec.Changed = "", "", tx.Now()
		tx.Respond("arn", sec.ARN(tx.Vault()))
		return named(tx, sec), tx.PutSecret(sec)
	})
}

// leavePrimary takes a replica off its primary's list.
func leavePrimary(tx *guard.Tx, replica *tacet.Secret) error {
	v, ok := tx.RegionVault(replica.PrimaryRegion)
	if !ok {
		return nil
	}
	primary, err := tx.Related(v.ID, replica.Name)
	if err != nil || primary == nil || primary.ID != replica.ReplicaOf {
		return err
	}
	primary = primary.Clone()
	primary.Replicas = withoutRegion(primary.Replicas, tx.Vault().Region)
	if len(primary.Replicas) == 0 {
		primary.Replicas, primary.PrimaryRegion = nil, ""
	}
	primary.Changed = tx.Now()
	return tx.PutSecret(primary)
}

func withoutRegion(replicas []tacet.Replica, region string) []tacet.Replica {
	out := []tacet.Replica{}
	for _, r := range replicas {
		if r.Region != region {
			out = append(out, r)
		}
	}
	return out
}

func regionsOf(replicas []tacet.Replica) []string {
	out := make([]string, len(replicas))
	for i, r := range replicas {
		out[i] = r.Region
	}
	return out
}
