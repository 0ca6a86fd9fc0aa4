package awsapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestContractB4_DescribeSecret(t *testing.T) {
	h := newServer(t)
	h.create("s", "1", 1)
	d := h.ok("DescribeSecret", in{"SecretId": "s"})
	members(t, "fresh", d, "ARN", "CreatedDate", "LastChangedDate", "Name", "VersionIdsToStages")
	equal(t, "stages", d["VersionIdsToStages"], any(out{token(1): list("AWSCURRENT")}))
	if c := number(d["CreatedDate"]); c != float64(int64(c*1000))/1000 || c < h.now()-60 {
		t.Errorf("CreatedDate %v", c)
	}
	h.ok("TagResource", in{"SecretId": "s", "Tags": list(in{"Key": "k", "Value": ""})})
	h.ok("UpdateSecret", in{"SecretId": "s", "ClientRequestToken": token(2), "Description": "d", "Type": "t"})
	h.ok("GetSecretValue", in{"SecretId": "s"})
	d = h.ok("DescribeSecret", in{"SecretId": "s"})
	equal(t, "tags", d["Tags"], any(list(out{"Key": "k", "Value": ""})))
	names := []string{"ARN", "CreatedDate", "LastChangedDate", "LastAccessedDate", "Name", "VersionIdsToStages", "Description", "Type", "Tags"}
	for _, n := range names {
		if _, ok := d[n]; !ok {
			t.Errorf("no %s in %v", n, d)
		}
	}
	if len(d) != len(names) {
		t.Errorf("%v, want exactly %v", d, names)
	}
	// Tags are absent before the first and an empty list behind the last.
	h.ok("UntagResource", in{"SecretId": "s", "TagKeys": list("k")})
	equal(t, "no tags left", h.ok("DescribeSecret", in{"SecretId": "s"})["Tags"], any(list()))
	o := h.ok("DeleteSecret", in{"SecretId": "s"})
	equal(t, "DeletedDate", h.ok("DescribeSecret", in{"SecretId": "s"})["DeletedDate"], o["DeletionDate"])
}

// names lists the secrets that an answer or a request finds.
func (h *house) names(request in) string {
	h.t.Helper()
	entries, _ := h.ok("ListSecrets", request)["SecretList"].([]any)
	var names []string
	for _, e := range entries {
		e, _ := e.(out)
		names = append(names, text(e["Name"]))
	}
	return strings.Join(names, " ")
}

func TestContractB9_ListSecrets(t *testing.T) {
	h := newServer(t)
	equal(t, "of nothing", h.ok("ListSecrets", in{}), out{"SecretList": list()})
	for i, n := range []string{"b", "c", "a"} {
		h.create(n, "v", i)
		h.wait(time.Second)
	}
	h.wait(-time.Second) // so that the next change is later than the last creation only
	h.wait(time.Second)
	h.ok("UpdateSecret", in{"SecretId": "c", "ClientRequestToken": token(9), "Description": "changed"})
	for _, tt := range []struct {
		request in
		want    string
	}{
		{in{}, "b c a"}, {in{"SortOrder": "asc"}, "b c a"}, {in{"SortOrder": "desc"}, "a c b"},
		{in{"SortBy": "created-date"}, "b c a"}, {in{"SortBy": "name"}, "a b c"}, {in{"SortBy": "name", "SortOrder": "desc"}, "c b a"},
		{in{"SortBy": "last-changed-date"}, "b a c"}, {in{"SortBy": "last-changed-date", "SortOrder": "desc"}, "c a b"},
		{in{"MaxResults": 2}, "b c"},
	} {
		equal(t, fmt.Sprint(tt.request), h.names(tt.request), tt.want)
	}
	entries, _ := h.ok("ListSecrets", in{})["SecretList"].([]any)
	first, _ := entries[0].(out)
	members(t, "entry", first, "ARN", "Name", "CreatedDate", "LastChangedDate", "SecretVersionsToStages")

	h.ok("DeleteSecret", in{"SecretId": "b"})
	equal(t, "without scheduled", h.names(in{}), "c a")
	equal(t, "with scheduled", h.names(in{"IncludePlannedDeletion": true}), "b c a")
	entries, _ = h.ok("ListSecrets", in{"IncludePlannedDeletion": true})["SecretList"].([]any)
	first, _ = entries[0].(out)
	members(t, "scheduled entry", first, "ARN", "Name", "CreatedDate", "LastChangedDate", "SecretVersionsToStages", "DeletedDate")
}

func TestContractB9_Pages(t *testing.T) {
	h := newServer(t)
	var want []string
	for i := range 7 {
		n := fmt.Sprintf("s%d", i)
		h.create(n, "v", i)
		want = append(want, n)
	}
	var got []string
	request := in{"MaxResults": 3, "SortBy": "name"}
	for page := 1; ; page++ {
		o := h.ok("ListSecrets", request)
		entries, _ := o["SecretList"].([]any)
		for _, e := range entries {
			e, _ := e.(out)
			got = append(got, text(e["Name"]))
		}
		next, more := o["NextToken"]
		if !more {
			break
		}
		if request["NextToken"] = next; page > 3 {
			t.Fatal("too many pages")
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages gave %v", got)
	}
	h.fails("ListSecrets", in{"NextToken": "nonsense"}, "InvalidNextTokenException", "The NextToken value is invalid.")
}

func TestContractB9_Filters(t *testing.T) {
	h := newServer(t)
	make := func(name, description string, tags ...string) {
		t.Helper()
		request := in{"Name": name, "ClientRequestToken": token(1), "Description": description}
		var l []any
		for i := 0; i < len(tags); i += 2 {
			l = append(l, in{"Key": tags[i], "Value": tags[i+1]})
		}
		if l != nil {
			request["Tags"] = l
		}
		h.ok("CreateSecret", request)
	}
	make("/path/one", "a secret", "Env", "Prod")
	make("testing1", "an secret", "env", "prod")
	make("testing2", "asecret", "owner", "COMPANYthings")
	make("prod/AppBeta/x", "one and two")
	make("SecretOne", "")
	filter := func(pairs ...any) in {
		var l []any
		for i := 0; i < len(pairs); i += 2 {
			values, ok := pairs[i+1].([]any)
			if !ok {
				values = list(pairs[i+1])
			}
			l = append(l, in{"Key": pairs[i], "Values": values})
		}
		return in{"Filters": l}
	}
	for _, tt := range []struct {
		request in
		want    string
	}{
		{filter("name", "testing"), "testing1 testing2"}, {filter("name", "/"), "/path/one"}, {filter("name", "Testing"), ""}, {filter("name", "one"), ""},
		{filter("name", "testing1 one"), ""}, {filter("name", list("testing1", "Secret")), "testing1 SecretOne"}, {filter("name", "!testing"), "/path/one prod/AppBeta/x SecretOne"},
		{filter("name", "testing", "name", "!testing1"), "testing2"}, {filter("name", "testing", "name", "Secret"), ""},
		{filter("description", "a secret"), "/path/one testing1"}, {filter("description", "o t"), "prod/AppBeta/x"}, {filter("description", "t o"), "prod/AppBeta/x"},
		{filter("description", "SECRET"), "/path/one testing1"}, {filter("description", "cret"), ""}, {filter("description", "asec"), "testing2"},
		{filter("tag-key", "env"), "testing1"}, {filter("tag-key", "E"), "/path/one"}, {filter("tag-key", "nv"), ""}, {filter("tag-key", "!env"), "/path/one testing2 prod/AppBeta/x SecretOne"},
		{filter("tag-value", "Prod"), "/path/one"}, {filter("tag-value", "prod"), "testing1"}, {filter("tag-value", "COMP"), "testing2"},
		{filter("tag-key", "env", "tag-value", "prod"), "testing1"}, {filter("tag-key", "env", "tag-value", "Prod"), ""},
		{filter("primary-region", h.s.Region), ""}, {filter("owning-service", "rds"), ""},
		{filter("all", "Beta"), "prod/AppBeta/x"}, {filter("all", "beta"), "prod/AppBeta/x"}, {filter("all", "sec"), "/path/one testing1 SecretOne"}, {filter("all", "ret"), ""},
		{filter("all", "+"), ""}, {filter("all", "ythings"), "testing2"}, {filter("all", "compan"), "testing2"}, {filter("all", "prod app"), "prod/AppBeta/x"},
		{filter("all", list("Beta", "ythings")), "testing2 prod/AppBeta/x"}, {filter("all", "prod"), "/path/one testing1 prod/AppBeta/x"},
	} {
		equal(t, fmt.Sprint(tt.request), h.names(tt.request), tt.want)
	}
	h.fails("ListSecrets", in{"Filters": list(in{"Values": list("a")})}, "InvalidParameterException", "Invalid filter key")
	h.fails("ListSecrets", in{"Filters": list(in{"Key": "name"})}, "InvalidParameterException", "Invalid filter values for key: name")
	h.fails("ListSecrets", filter("colour", "a"), "ValidationException", "1 validation error detected: Value 'colour' at 'filters.1.member.key' failed to satisfy constraint: Member must satisfy enum value set: …")
}

func TestContractB10_DeleteSecret(t *testing.T) {
	h := newServer(t)
	arn := h.create("s", "v", 1)["ARN"]
	for _, days := range []int{-1, 0, 6, 31} {
		h.fails("DeleteSecret", in{"SecretId": "s", "RecoveryWindowInDays": days}, "InvalidParameterException",
			"The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	h.fails("DeleteSecret", in{"SecretId": "s", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true}, "InvalidParameterException",
		"You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	h.fails("DeleteSecret", in{"SecretId": "nowhere"}, "ResourceNotFoundException", notFound)
	near := func(what string, got any, days float64) {
		t.Helper()
		if d := (number(got) - h.now()) / 86400; d < days-0.01 || d > days+0.01 {
			t.Errorf("%s: in %v days, want %v", what, d, days)
		}
	}
	o := h.ok("DeleteSecret", in{"SecretId": "s"})
	members(t, "Delete", o, "ARN", "Name", "DeletionDate")
	equal(t, "ARN", o["ARN"], arn)
	near("default window", o["DeletionDate"], 30)
	h.fails("DeleteSecret", in{"SecretId": "s"}, "InvalidRequestException", marked)
	h.ok("RestoreSecret", in{"SecretId": "s"})
	near("window of 7", h.ok("DeleteSecret", in{"SecretId": "s", "RecoveryWindowInDays": 7})["DeletionDate"], 7)
	h.wait(6*24*time.Hour + 23*time.Hour)
	h.fails("CreateSecret", in{"Name": "s", "ClientRequestToken": token(2)}, "InvalidRequestException",
		"You can't create this secret because a secret with this name is already scheduled for deletion.")
	h.wait(2 * time.Hour)
	h.fails("DescribeSecret", in{"SecretId": "s"}, "ResourceNotFoundException", notFound)
	h.fails("RestoreSecret", in{"SecretId": "s"}, "ResourceNotFoundException", notFound)
	h.create("s", "again", 3)
	h.ok("DeleteSecret", in{"SecretId": "s"})
	near("force", h.ok("DeleteSecret", in{"SecretId": "s", "ForceDeleteWithoutRecovery": true})["DeletionDate"], 0)
	h.fails("DescribeSecret", in{"SecretId": "s"}, "ResourceNotFoundException", notFound)
	// Force succeeds on what is not there, with an ARN that is nobody's.
	o = h.ok("DeleteSecret", in{"SecretId": "nowhere", "ForceDeleteWithoutRecovery": true})
	members(t, "made up", o, "ARN", "Name", "DeletionDate")
	if !strings.Contains(text(o["ARN"]), ":secret:nowhere-") {
		t.Errorf("made-up ARN %v", o["ARN"])
	}
}

func TestContractB11_RestoreSecret(t *testing.T) {
	h := newServer(t)
	h.create("s", "1", 1)
	h.put("s", "2", 2, "AWSCURRENT", "blue")
	h.ok("DeleteSecret", in{"SecretId": "s"})
	members(t, "Restore", h.ok("RestoreSecret", in{"SecretId": "s"}), "ARN", "Name")
	if d, ok := h.ok("DescribeSecret", in{"SecretId": "s"})["DeletedDate"]; ok {
		t.Errorf("DeletedDate %v", d)
	}
	h.wantLabels("s", "1: AWSPREVIOUS; 2: AWSCURRENT blue")
	h.wantValue(in{"SecretId": "s"}, "2")
	h.ok("RestoreSecret", in{"SecretId": "s"}) // a live one: silently
}

func TestContractB12_Tags(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	tags := func(pairs ...string) in {
		l := list()
		for i := 0; i < len(pairs); i += 2 {
			l = append(l, in{"Key": pairs[i], "Value": pairs[i+1]})
		}
		return in{"SecretId": "s", "Tags": l}
	}
	want := func(pairs ...string) {
		t.Helper()
		got := map[string]string{}
		l, _ := h.ok("DescribeSecret", in{"SecretId": "s"})["Tags"].([]any)
		for _, e := range l {
			e, _ := e.(out)
			got[text(e["Key"])] = text(e["Value"])
		}
		wanted := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			wanted[pairs[i]] = pairs[i+1]
		}
		equal(t, "tags", got, wanted)
	}
	if body := h.ok("TagResource", tags("a", "1", "A", "2")); body != nil {
		t.Errorf("TagResource answered %v", body)
	}
	want("a", "1", "A", "2")
	h.ok("TagResource", tags("a", "3", "b", ""))
	want("a", "3", "A", "2", "b", "")
	if body := h.ok("UntagResource", in{"SecretId": "s", "TagKeys": list("A", "unknown")}); body != nil {
		t.Errorf("UntagResource answered %v", body)
	}
	want("a", "3", "b", "")
	for what, request := range map[string]in{"reserved": tags("aws:a", "1"), "duplicate": tags("x", "1", "x", "2")} {
		if status, body := h.c.Call("TagResource", request); status != 400 || body["__type"] != "InvalidParameterException" {
			t.Errorf("%s: %d %v", what, status, body)
		}
	}
	var more []string
	for i := range 49 {
		more = append(more, fmt.Sprintf("k%d", i), "")
	}
	if status, body := h.c.Call("TagResource", tags(more...)); status != 400 || body["__type"] != "InvalidParameterException" {
		t.Errorf("51 together: %d %v", status, body)
	}
	want("a", "3", "b", "")
	h.ok("TagResource", tags(more[:96]...))
}

// A caller who could not tag any more afterwards is refused (attribute-based access).
func TestContractB12_TagsThatLockTheCallerOut(t *testing.T) {
	h := newServer(t)
	h.create("s", "v", 1)
	h.ok("TagResource", in{"SecretId": "s", "Tags": list(in{"Key": "team", "Value": "a"})})
	u := h.user("u", in{"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*",
		"Condition": in{"StringEquals": in{"aws:ResourceTag/team": "a"}}})
	u.ok("TagResource", in{"SecretId": "s", "Tags": list(in{"Key": "other", "Value": "x"})})
	for op, request := range map[string]in{"TagResource": {"Tags": list(in{"Key": "team", "Value": "b"})}, "UntagResource": {"TagKeys": list("team")}} {
		request["SecretId"] = "s"
		if status, body := u.c.Call(op, request); status != 400 || body["__type"] != "AccessDeniedException" {
			t.Errorf("%s: %d %v", op, status, body)
		}
	}
	u.ok("DescribeSecret", in{"SecretId": "s"})
}
