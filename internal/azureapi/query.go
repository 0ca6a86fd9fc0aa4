package azureapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A query is what the query string of a request says. Its keys are compared unescaped and
// without regard to case: one SDK escapes their hyphens, "api%2Dversion".
type query struct {
	version    string // api-version
	maxResults int    // 0: not given
	skipToken  string // $skiptoken
	outType    string // outContentType
}

// latestVersion is the newest api-version there is.
const latestVersion = "2026-04-01"

// maxQuery bounds a query string, in bytes; the longest thing in it is a skip token.
const maxQuery = 8192

// readQuery reads the query string; the api-version comes first.
func (x *exchange) readQuery() error {
	raw := x.r.URL.RawQuery
	if len(raw) > maxQuery {
		return badParameter("The query string is too long.")
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return badParameter("The query string is not valid.")
	}
	q := query{}
	maxResults, limited := "", false
	for key, v := range values {
		var to *string
		switch strings.ToLower(key) {
		case "api-version":
			to = &q.version
		case "maxresults":
			to, limited = &maxResults, true
		case "$skiptoken":
			to = &q.skipToken
		case "outcontenttype":
			to = &q.outType
		default:
			continue
		}
		if len(v) > 1 || *to != "" {
			return badParameter("The query parameter " + strings.ToLower(key) + " is given more than once.")
		}
		*to = v[0]
	}
	if !knownVersion(q.version) {
		return badParameter("The specified version (" + printable(q.version) + ") is not recognized. Consider using the latest supported version (" + latestVersion + ").")
	}
	if limited {
		n, err := strconv.Atoi(maxResults)
		if err != nil || n < 1 || n > maxPage || !isNumber(maxResults) {
			return badParameter("The query parameter maxresults must be between 1 and " + strconv.Itoa(maxPage) + ".")
		}
		q.maxResults = n
	}
	x.query = q
	return nil
}

// maxPage is the longest page of a listing.
const maxPage = 25

// usualVersions are those that today's SDKs ask for.
var usualVersions = []string{latestVersion, "2025-07-01", "7.6", "7.5", "7.4", "7.3"}

// knownVersion reports whether an api-version is one of Key Vault's, previews included:
// 7.0 and later, and dates from 2016-10-01 on. Newer ones than there are are taken too: a
// client must not be turned away for what it may never ask for.
func knownVersion(v string) bool {
	if slices.Contains(usualVersions, v) {
		return true
	}
	base, preview, isPreview := strings.Cut(v, "-preview")
	if isPreview && preview != "" && !isNumber(strings.TrimPrefix(preview, ".")) {
		return false
	}
	if minor, ok := strings.CutPrefix(base, "7."); ok {
		return isNumber(minor)
	}
	_, err := time.Parse(time.DateOnly, base)
	return err == nil && (base >= "2016-10-01" || base == "2015-06-01")
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 3 && strings.Trim(s, "0123456789") == ""
}

// since reports whether the request's api-version is at least another, one of "7.x" or a
// date after 7.6.
func (q *query) since(version string) bool { return age(q.version) >= age(version) }

// age orders api-versions: the dates before 7.0, the numbers, the dates after 7.6. The
// former are of 2019 and before, the latter later, so the numbers stand between the two.
func age(version string) int {
	version, _, _ = strings.Cut(version, "-preview")
	if minor, ok := strings.CutPrefix(version, "7."); ok {
		n, _ := strconv.Atoi(minor) // it was read before
		return 2019_90_00 + n
	}
	n, _ := strconv.Atoi(strings.ReplaceAll(version, "-", ""))
	return n
}
