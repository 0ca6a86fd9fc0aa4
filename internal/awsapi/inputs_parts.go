package awsapi

import (
	"tacet"
	"tacet/internal/vault"
)

// The inputs of the operations on tags, policies, replicas and rotation, and the
// structures that inputs have in common.

// texts reads a list of strings, nil for null.
func (d *decoder) texts() []text {
	var l []text
	if !d.List(func() { l = append(l, d.Text()) }) {
		return nil
	}
	if l == nil {
		l = []text{}
	}
	return l
}

type tag struct{ key, value text }

func (d *decoder) tags() (l []tag, given bool) {
	given = d.List(func() {
		var t tag
		d.Structure(func(name []byte) {
			switch string(name) {
			case "Key":
				t.key = d.Text()
			case "Value":
				t.value = d.Text()
			default:
				d.Skip()
			}
		})
		l = append(l, t)
	})
	return l, given
}

// tags checks a list of tags; it returns a list that is not nil.
func (c *checks) tags(l []tag) []tacet.Tag {
	out := make([]tacet.Tag, len(l))
	for i, t := range l {
		c.in("tags", i+1)
		c.required("key", t.key.Set)
		out[i].Key = c.length("key", t.key, 1, tacet.MaxTagKey)
		out[i].Value = c.length("value", t.value, 0, tacet.MaxTagValue)
	}
	c.in("", 0)
	return out
}

type filter struct {
	key    text
	values []text
}

func (d *decoder) filters() (l []filter, given bool) {
	given = d.List(func() {
		var f filter
		d.Structure(func(name []byte) {
			switch string(name) {
			case "Key":
				f.key = d.Text()
			case "Values":
				f.values = d.texts()
			default:
				d.Skip()
			}
		})
		l = append(l, f)
	})
	return l, given
}

// filters checks a list of filters. The model requires neither a key nor values; that
// they are missing is told in other words than a constraint.
func (c *checks) filters(l []filter) []vault.Filter {
	c.size("filters", len(l), 0, 10)
	out := make([]vault.Filter, len(l))
	for i, f := range l {
		c.in("filters", i+1)
		out[i].Key = c.enum("key", f.key, vault.FilterDescription, vault.FilterName, vault.FilterTagKey,
			vault.FilterTagValue, vault.FilterPrimaryRegion, vault.FilterOwningService, vault.FilterAll)
		out[i].Values = c.strings("values", f.values, [2]int{1, 10}, [2]int{0, 512}, filterValuePattern, matchFilterValue)
		switch {
		case c.parameter != "":
		case !f.key.Set:
			c.parameter = "Invalid filter key"
		case f.values == nil:
			c.parameter = "Invalid filter values for key: " + f.key.S
		}
	}
	c.in("", 0)
	return out
}

type replica struct{ region, key text }

func (d *decoder) replicas() (l []replica, given bool) {
	given = d.List(func() {
		var r replica
		d.Structure(func(name []byte) {
			switch string(name) {
			case "Region":
				r.region = d.Text()
			case "KmsKeyId":
				r.key = d.Text()
			default:
				d.Skip()
			}
		})
		l = append(l, r)
	})
	return l, given
}

func (c *checks) replicas(l []replica) []vault.ReplicaRequest {
	c.size("addReplicaRegions", len(l), 1, 0)
	out := make([]vault.ReplicaRequest, len(l))
	for i, r := range l {
		c.in("addReplicaRegions", i+1)
		c.required("region", r.region.Set)
		out[i].Region = c.length("region", r.region, 1, 128)
		c.pattern("region", r.region, regionPattern, matchRegion)
		if len(r.region.S) > tacet.MaxRegion && c.parameter == "" { // well formed, and nowhere
			c.parameter = "Invalid replica region."
		}
		out[i].KMSKeyID = c.length("kmsKeyId", r.key, 0, 2048)
	}
	c.in("", 0)
	return out
}

func readReplicate(d *decoder, c *checks) vault.ReplicateInput {
	var id text
	var replicas []replica
	var given bool
	var force boolean
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "AddReplicaRegions":
			replicas, given = d.replicas()
		case "ForceOverwriteReplicaSecret":
			force = d.Flag()
		default:
			d.Skip()
		}
	})
	in := vault.ReplicateInput{Secret: c.secretID(id), ForceOverwrite: force.On}
	if c.required("addReplicaRegions", given); given {
		in.Replicas = c.replicas(replicas)
	}
	return in
}

// A regionsInput is the input of RemoveRegionsFromReplication.
type regionsInput struct {
	secret  tacet.SecretRef
	regions []string
}

func readRemoveRegions(d *decoder, c *checks) regionsInput {
	var id text
	var regions []text
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "RemoveReplicaRegions":
			regions = d.texts()
		default:
			d.Skip()
		}
	})
	in := regionsInput{secret: c.secretID(id)}
	c.required("removeReplicaRegions", regions != nil)
	in.regions = c.strings("removeReplicaRegions", regions, [2]int{1, 0}, [2]int{1, 128}, regionPattern, matchRegion)
	return in
}

// A tagsInput is the input of TagResource, with tags, and of UntagResource, with keys.
type tagsInput struct {
	secret tacet.SecretRef
	tags   []tacet.Tag
	keys   []string
}

func readTagResource(d *decoder, c *checks) tagsInput {
	var id text
	var tags []tag
	var given bool
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "Tags":
			tags, given = d.tags()
		default:
			d.Skip()
		}
	})
	in := tagsInput{secret: c.secretID(id)}
	c.required("tags", given)
	in.tags = c.tags(tags)
	return in
}

func readUntagResource(d *decoder, c *checks) tagsInput {
	var id text
	var keys []text
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "TagKeys":
			keys = d.texts()
		default:
			d.Skip()
		}
	})
	in := tagsInput{secret: c.secretID(id)}
	c.required("tagKeys", keys != nil)
	in.keys = c.strings("tagKeys", keys, [2]int{}, [2]int{1, tacet.MaxTagKey}, "", nil)
	return in
}

func readPutPolicy(d *decoder, c *checks) vault.PutResourcePolicyInput {
	var id, policy text
	var block boolean
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "ResourcePolicy":
			policy = d.Text()
		case "BlockPublicPolicy":
			block = d.Flag()
		default:
			d.Skip()
		}
	})
	return vault.PutResourcePolicyInput{Secret: c.secretID(id), Policy: c.policy(policy), BlockPublic: block.On}
}

func readValidatePolicy(d *decoder, c *checks) vault.ValidatePolicyInput {
	var id, policy text
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "ResourcePolicy":
			policy = d.Text()
		default:
			d.Skip()
		}
	})
	return vault.ValidatePolicyInput{Secret: c.optionalSecretID(id), Policy: c.policy(policy)}
}

// policy checks a required resource policy's length; its language is the core's to check.
func (c *checks) policy(t text) string {
	c.required("resourcePolicy", t.Set)
	return c.length("resourcePolicy", t, 1, tacet.MaxPolicy)
}

type rotationRules struct {
	days               integer
	duration, schedule text
}

// readRotateSecret returns as much of RotateSecret's input as the core takes. The rest is
// read and checked like everything else, so that a wrong request is told so.
func readRotateSecret(d *decoder, c *checks) vault.RotateSecretInput {
	var id, token, function, role text
	var rules rotationRules
	var now boolean
	newRules := false
	var metadata []tag // the same shape, with other bounds
	d.Document(func(name []byte) {
		switch string(name) {
		case "SecretId":
			id = d.Text()
		case "ClientRequestToken":
			token = d.Text()
		case "RotationLambdaARN":
			function = d.Text()
		case "RotationRules":
			rules, newRules = d.rotationRules()
		case "ExternalSecretRotationMetadata":
			metadata, _ = d.tags()
		case "ExternalSecretRotationRoleArn":
			role = d.Text()
		case "RotateImmediately":
			now = d.Flag()
		default:
			d.Skip()
		}
	})
	in := vault.RotateSecretInput{Secret: c.secretID(id), Token: c.token("clientRequestToken", token), Function: function.S, Role: role.S,
		NewRules: newRules, Later: now.Set && !now.On}
	c.length("rotationLambdaARN", function, 0, 2048)
	c.rotationRules(rules)
	for i, m := range metadata {
		c.in("externalSecretRotationMetadata", i+1)
		c.required("key", m.key.Set)
		c.length("key", m.key, 1, 256)
		c.required("value", m.value.Set)
		c.length("value", m.value, 1, 2048)
	}
	c.in("", 0)
	c.length("externalSecretRotationRoleArn", role, 20, 2048)
	return in
}

func (d *decoder) rotationRules() (r rotationRules, given bool) {
	given = d.Structure(func(name []byte) {
		switch string(name) {
		case "AutomaticallyAfterDays":
			r.days = d.Integer("Long")
		case "Duration":
			r.duration = d.Text()
		case "ScheduleExpression":
			r.schedule = d.Text()
		default:
			d.Skip()
		}
	})
	return r, given
}

func (c *checks) rotationRules(r rotationRules) {
	c.in("rotationRules", 0)
	c.bounds("automaticallyAfterDays", r.days, 1, 1000)
	c.length("duration", r.duration, 2, 3)
	c.pattern("duration", r.duration, durationPattern, matchDuration)
	c.length("scheduleExpression", r.schedule, 1, 256)
	c.pattern("scheduleExpression", r.schedule, schedulePattern, matchSchedule)
	c.in("", 0)
	if r.days.Set && r.schedule.Set && c.parameter == "" {
		c.parameter = "You cannot specify both rotation frequency and schedule expression together."
	}
}
