package snapshot

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/weirhq/weir/proto/contract/seal"
)

// defaultOrigins are what an agent may reach with no configuration: hosts where the
// credential alone says whose account it is. Azure's https://RESOURCE.openai.azure.com is not
// here, for a policy could name a resource of somebody else, who would get the credential's
// key or token with every prompt; nor is Vertex, whose base URL names a project: that of
// somebody else, who lets the credential's account in, would get the prompts.
var defaultOrigins = []string{
	"https://api.openai.com", "https://api.anthropic.com", "https://generativelanguage.googleapis.com",
}

// defaultRegional are Bedrock's public hosts. AWS alone has names there (others, such as a
// bucket's, are below labels that are no region), a signature does not reveal the secret, and
// the prompts go to the account whose credential signed.
// Source: https://docs.aws.amazon.com/general/latest/gr/bedrock.html
var defaultRegional = regexp.MustCompile(`^https://bedrock-runtime(-fips)?\.[a-z]{2}(-[a-z]+){1,2}-[0-9]\.amazonaws\.com$`)

// Default references: what an agent may use there.
const (
	defaultReference = "env://WEIR_SECRET_*"
	defaultFolder    = "file:///etc/weir/secrets/"
	// sealedReference stands for a credential that the policy itself carries, sealed.
	sealedReference = "sealed"
)

// Origins is the agent's own allow-list: where it may send requests, and which
// credential references it may use there. It comes from local configuration,
// never from policy. The zero value allows nothing.
type Origins struct {
	grants map[string][]grant // by origin
	// regional: defaultRegional counts, too.
	regional bool
}

// grant is one way in which an origin may be used.
type grant struct {
	path       string // base URLs must be there or below; empty: anywhere
	references []string
}

var byDefault = grant{references: []string{defaultReference, defaultFolder, sealedReference}}

// DefaultOrigins allows the public hosts of known providers with the references
// env://WEIR_SECRET_* and file:///etc/weir/secrets/, and with sealed credentials.
func DefaultOrigins() Origins {
	o := Origins{grants: map[string][]grant{}, regional: true}
	for _, origin := range defaultOrigins {
		o.grants[origin] = []grant{byDefault}
	}
	return o
}

// ParseOrigins reads an allow-list. An entry is an origin, optionally with the path
// that base URLs must begin with, and with the references it may use:
//
//	https://api.openai.com
//	http://127.0.0.1:8093=env://WEIR_SECRET_MOCK,file:///run/secrets/,sealed
//	https://aiplatform.googleapis.com/v1/projects/acme=file:///run/secrets/
//	default
//
// Without references an entry gets the default ones. "default" stands for
// DefaultOrigins; no entries at all mean the same. A pattern ending in * fits
// what begins with the rest, one ending in / the files below that folder; "sealed"
// fits sealed credentials. All faults are returned at once.
func ParseOrigins(entries []string) (Origins, error) {
	if len(entries) == 0 {
		return DefaultOrigins(), nil
	}
	o := Origins{grants: map[string][]grant{}}
	var faults []error
	for _, entry := range entries {
		if err := o.add(strings.TrimSpace(entry)); err != nil {
			faults = append(faults, fmt.Errorf("upstream origin %q: %w", entry, err))
		}
	}
	return o, errors.Join(faults...)
}

func (o *Origins) add(entry string) error {
	if entry == "default" {
		for origin, grants := range DefaultOrigins().grants {
			o.grants[origin] = append(o.grants[origin], grants...)
		}
		o.regional = true
		return nil
	}
	address, list, stated := strings.Cut(entry, "=")
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("not a URL")
	}
	origin, err := seal.Origin(u)
	if err != nil {
		return err
	}
	g := grant{path: strings.TrimSuffix(u.EscapedPath(), "/"), references: byDefault.references}
	if g.path != "" && !plain(g.path) {
		return errors.New("its path must be plain: no escapes, no dot segments, one slash at a time")
	}
	if stated {
		g.references = strings.Split(list, ",")
	}
	for _, pattern := range g.references {
		if err := validPattern(pattern); err != nil {
			return err
		}
	}
	o.grants[origin] = append(o.grants[origin], g)
	return nil
}

// plain: no server reads the path as another one.
func plain(escaped string) bool {
	return !strings.Contains(escaped, "%") && path.Clean(escaped) == escaped
}

func validPattern(pattern string) error {
	name, isEnv := strings.CutPrefix(pattern, "env://")
	file, isFile := strings.CutPrefix(pattern, "file://")
	switch {
	case pattern == sealedReference:
		return nil
	case isEnv && name != "" && !strings.Contains(strings.TrimSuffix(name, "*"), "*"):
		return nil
	case isFile && strings.HasPrefix(file, "/") && !strings.Contains(file, "*"):
		return nil
	}
	return fmt.Errorf("reference %q is not env://NAME, env://PREFIX_*, file:///path, file:///folder/ or sealed", pattern)
}

// refusal says why a provider may not be used from here; empty: it may. One without
// a reference has no credential to misuse.
func (o Origins) refusal(u *url.URL, reference string) string {
	origin, err := seal.Origin(u)
	if err != nil {
		return err.Error()
	}
	grants := o.grants[origin]
	if o.regional && defaultRegional.MatchString(origin) {
		grants = append(grants[:len(grants):len(grants)], byDefault)
	}
	if len(grants) == 0 {
		return "origin " + origin + " is not in this agent's list of upstream origins"
	}
	within := false
	for _, g := range grants {
		if !g.holds(u) {
			continue
		}
		if reference == "" || slices.ContainsFunc(g.references, func(p string) bool { return fits(p, reference) }) {
			return ""
		}
		within = true
	}
	if !within {
		return "this agent's list of upstream origins has " + origin + " with other paths only"
	}
	return "credential reference " + reference + " may not be used for " + origin + " by this agent"
}

// holds: the base URL is at the path or below it.
func (g grant) holds(u *url.URL) bool {
	if g.path == "" {
		return true
	}
	at := strings.TrimSuffix(u.EscapedPath(), "/")
	return plain(at) && (at == g.path || strings.HasPrefix(at, g.path+"/"))
}

func fits(pattern, reference string) bool {
	if file, ok := strings.CutPrefix(reference, "file://"); ok {
		if path.Clean(file) != file {
			return false
		}
		return reference == pattern || strings.HasSuffix(pattern, "/") && strings.HasPrefix(reference, pattern)
	}
	prefix, open := strings.CutSuffix(pattern, "*")
	return reference == pattern || open && strings.HasPrefix(reference, prefix)
}
