package authn

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// SameOrigin returns a Denied fault unless the browser says that a page of this very origin made the request. Everything
// that a cookie alone authorizes and that changes something must pass it. Sec-Fetch-Site decides where browsers send it
// (https and localhost), else Origin, which must be that of publicURL.
func SameOrigin(header http.Header, publicURL string) error {
	switch site := header.Get("Sec-Fetch-Site"); site {
	case "same-origin":
		return nil
	case "":
		if origin := header.Get("Origin"); origin != "" && strings.EqualFold(origin, originOf(publicURL)) {
			return nil
		}
	}
	return fault.Because(fault.Denied, ReasonCrossOrigin,
		"a session cookie counts only in requests from the console's own pages; use a service-account token elsewhere")
}

func originOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Scheme + "://" + parsed.Host
}

// returnPath makes sure that a redirect stays on this host: the text is kept if it is a path, with query and fragment,
// that no browser can read as another host's, else it is "/".
func returnPath(text string) string {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme != "" || parsed.Host != "" || parsed.User != nil ||
		!strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") || strings.ContainsFunc(text, misread) ||
		strings.HasPrefix(parsed.Path, "//") || parsed.Path == "/auth" || strings.HasPrefix(parsed.Path, "/auth/") {
		return "/"
	}
	return text
}

// misread tells characters that browsers drop or take for a slash.
func misread(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }
