package provider

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// parseBaseURL accepts an origin with an optional path and nothing else, and
// returns it in one form: lower-case scheme and host, no trailing slash.
func parseBaseURL(text string) (string, error) {
	refuse := func(why string) (string, error) { return "", fault.Field("base_url", "%s", why) }
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return refuse("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("want http:// or https://")
	case u.Hostname() == "":
		return refuse("it names no host")
	case u.User != nil:
		return refuse("it must not carry credentials; they belong in credential_ref")
	case u.RawQuery != "" || u.ForceQuery:
		return refuse("it must not have a query")
	case strings.Contains(text, "#"):
		return refuse("it must not have a fragment")
	case !validPort(u):
		return refuse("the port must be 1 to 65535")
	case strings.ContainsAny(u.Path, "\\") || strings.Contains(u.Path+"/", "/../") || strings.Contains(u.Path+"/", "/./"):
		return refuse("its path must be plain: no backslash, no dot segments")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.EscapedPath(), "/"), nil
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port >= 1 && port <= 65535
}
