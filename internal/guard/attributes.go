package guard

import (
	"errors"
	"slices"

	"tacet"
)

// attributesBody is [tacet.VersionAttributes] as it is stored in the secret's body.
type attributesBody struct {
	ContentType string `json:"type,omitempty"`
	Disabled    bool   `json:"off,omitempty"`
	NotBefore   int64  `json:"nbf,omitempty"`
	Expires     int64  `json:"exp,omitempty"`
	Changed     int64  `json:"changed,omitempty"`
	Tags        int    `json:"tags,omitempty"` // the number of a tag set from 1; 0: none of its own
}

// encodeAttributes writes each of the different tag sets once.
func encodeAttributes(from map[tacet.VersionID]tacet.VersionAttributes) (map[tacet.VersionID]attributesBody, [][]tacet.Tag) {
	if len(from) == 0 {
		return nil, nil
	}
	var sets [][]tacet.Tag
	out := make(map[tacet.VersionID]attributesBody, len(from))
	for id, a := range from {
		b := attributesBody{ContentType: a.ContentType, Disabled: a.Disabled, NotBefore: tacet.Microseconds(a.NotBefore),
			Expires: tacet.Microseconds(a.Expires), Changed: tacet.Microseconds(a.Changed)}
		if a.HasTags {
			i := slices.IndexFunc(sets, func(s []tacet.Tag) bool { return slices.Equal(s, a.Tags) && (s == nil) == (a.Tags == nil) })
			if i < 0 {
				i, sets = len(sets), append(sets, a.Tags)
			}
			b.Tags = i + 1
		}
		out[id] = b
	}
	return out, sets
}

func decodeAttributes(from map[tacet.VersionID]attributesBody, sets [][]tacet.Tag) (map[tacet.VersionID]tacet.VersionAttributes, error) {
	if len(from) == 0 {
		return nil, nil
	}
	out := make(map[tacet.VersionID]tacet.VersionAttributes, len(from))
	for id, b := range from {
		a := tacet.VersionAttributes{ContentType: b.ContentType, Disabled: b.Disabled, NotBefore: tacet.Time(b.NotBefore),
			Expires: tacet.Time(b.Expires), Changed: tacet.Time(b.Changed)}
		if b.Tags != 0 {
			if b.Tags < 0 || b.Tags > len(sets) {
				return nil, errors.New("a version refers to tags that are not there")
			}
			a.Tags, a.HasTags = sets[b.Tags-1], true
		}
		out[id] = a
	}
	return out, nil
}
