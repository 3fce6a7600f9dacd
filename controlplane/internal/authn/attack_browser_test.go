package authn_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// RFC 9700, sections 4.5 and 4.7: a code counts in the browser and login that it was made for, once.
func TestCodeInjectionAndReplay(t *testing.T) {
	t.Run("verifier_is_bound_to_the_browser", func(t *testing.T) {
		s, l := startLying(t, 0)
		atProvider := s.location(s.get(s.console + authn.LoginPath))
		s.get(s.location(s.get(atProvider)))
		sent, err := url.Parse(atProvider)
		if err != nil {
			t.Fatal(err)
		}
		challenge, verifier := sent.Query().Get("code_challenge"), l.last.Get("code_verifier")
		if sent.Query().Get("code_challenge_method") != "S256" || len(verifier) < 43 || challenge != challengeOf(verifier) {
			t.Errorf("challenge %q, verifier %q", challenge, verifier)
		}
	})
	t.Run("code_of_another_browser", func(t *testing.T) {
		s, _ := startLying(t, 0)
		own := s.Client
		s.Client = newBrowser(t)
		stolen, err := url.Parse(s.location(s.get(s.location(s.get(s.console + authn.LoginPath)))))
		if err != nil {
			t.Fatal(err)
		}
		s.Client = own
		callback := changed(t, s.location(s.get(s.location(s.get(s.console+authn.LoginPath)))), func(q url.Values) {
			q.Set("code", stolen.Query().Get("code"))
		})
		// This provider does not check the verifier: the nonce stops it alone.
		if answer := s.get(callback); answer.StatusCode != http.StatusForbidden || s.sessions.count() != 0 {
			t.Errorf("status %d: %s", answer.StatusCode, answer.body)
		}
	})
	t.Run("callback_again_with_the_cookie_kept", func(t *testing.T) {
		s, l := startLying(t, 0)
		begun := s.get(s.console + authn.LoginPath)
		callback := s.location(s.get(s.location(begun)))
		s.get(callback)
		kept := s.send(http.MethodGet, callback, nil, http.Header{"Cookie": {cookieOf(begun, "weir_login")}})
		if kept.StatusCode != http.StatusBadRequest || l.tokensAsked.Load() != 1 || s.sessions.count() != 1 {
			t.Errorf("status %d, %d codes sent: %s", kept.StatusCode, l.tokensAsked.Load(), kept.body)
		}
	})
	t.Run("after_a_logout", func(t *testing.T) {
		s, _ := startLying(t, 0)
		begun := s.get(s.console + authn.LoginPath)
		callback := s.location(s.get(s.location(begun)))
		s.get(callback)
		s.own(http.MethodPost, authn.LogoutPath)
		kept := s.send(http.MethodGet, callback, nil, http.Header{"Cookie": {cookieOf(begun, "weir_login")}})
		if kept.StatusCode != http.StatusBadRequest || s.sessions.count() != 0 {
			t.Errorf("status %d: %s", kept.StatusCode, kept.body)
		}
	})
}

// RFC 6749, section 3.1: what was checked must be what is used.
func TestParametersComeOnce(t *testing.T) {
	for _, name := range []string{"state", "code", "iss", "error"} {
		t.Run(name, func(t *testing.T) {
			s, l := startLying(t, 0)
			callback := s.location(s.get(s.location(s.get(s.console+authn.LoginPath)))) + "&" + name + "=a&" + name + "=b"
			if answer := s.get(callback); answer.StatusCode != http.StatusBadRequest || l.tokensAsked.Load() != 0 {
				t.Errorf("status %d: %s", answer.StatusCode, answer.body)
			}
		})
	}
}

func TestLoginCookieOfAnotherInstallation(t *testing.T) {
	s, _ := startLying(t, 0)
	callback := s.location(s.get(s.location(s.get(s.console + authn.LoginPath))))
	for name, value := range map[string]string{"garbage": "AAAA", "empty": "", "plain": "eyJTdGF0ZSI6IngifQ"} {
		header := http.Header{"Cookie": {cookieName(s, "weir_login") + "=" + value}}
		own := s.Client
		s.Client = newBrowser(t)
		if answer := s.send(http.MethodGet, callback, nil, header); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d", name, answer.StatusCode)
		}
		s.Client = own
	}
}

// Whoever kept the cookie of a session that was logged out has nothing.
func TestOldSessionCookieAfterLogout(t *testing.T) {
	s, _ := startLying(t, 0)
	cookie := cookieOf(s.throughLiar(), "weir_session")
	header := func() http.Header { return http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-origin"}} }
	if who := s.send(http.MethodPost, s.console+"/whoami", nil, header()); who.StatusCode != http.StatusOK {
		t.Fatalf("before: %d", who.StatusCode)
	}
	s.own(http.MethodPost, authn.LogoutPath)
	if who := s.send(http.MethodPost, s.console+"/whoami", nil, header()); who.StatusCode != http.StatusUnauthorized {
		t.Errorf("after: %d", who.StatusCode)
	}
}

// A session that somebody planted is never taken over: every login makes a new one and ends the one before.
func TestSessionFixation(t *testing.T) {
	s, _ := startLying(t, 0)
	victim := s.Client
	s.Client = newBrowser(t)
	planted := cookieOf(s.throughLiar(), "weir_session")
	s.Client = victim
	callback := s.location(s.get(s.location(s.get(s.console + authn.LoginPath))))
	answer := s.send(http.MethodGet, callback, nil, http.Header{"Cookie": {planted}})
	if own := cookieOf(answer, "weir_session"); own == "" || own == planted {
		t.Errorf("the victim's session is %q", own)
	}
	s.Client = newBrowser(t)
	who := s.send(http.MethodPost, s.console+"/whoami", nil, http.Header{"Cookie": {planted}, "Sec-Fetch-Site": {"same-origin"}})
	if who.StatusCode != http.StatusUnauthorized || s.sessions.count() != 1 {
		t.Errorf("the planted session: status %d, %d sessions", who.StatusCode, s.sessions.count())
	}
}

func TestSeveralOrganizations(t *testing.T) {
	other := authn.Membership{Organization: "Börse <b>", Principal: authn.Principal{
		Kind: authn.Member, ID: uuid.New(), OrganizationID: uuid.New(), Role: eventv1.Role_ROLE_VIEWER}}
	choosing := func(t *testing.T) *setup {
		s, _ := startLying(t, 0)
		s.members.others = []authn.Membership{other}
		offered := s.get(s.location(s.get(s.location(s.get(s.console + authn.LoginPath + "?return_to=/keys")))))
		if offered.StatusCode != http.StatusOK || !strings.Contains(offered.body, "Börse &lt;b&gt;") || s.sessions.count() != 0 {
			t.Fatalf("status %d, %d sessions: %s", offered.StatusCode, s.sessions.count(), offered.body)
		}
		return s
	}
	choose := func(s *setup, organization uuid.UUID) page {
		return s.send(http.MethodPost, s.console+authn.ChoicePath, url.Values{"organization": {organization.String()}},
			http.Header{"Sec-Fetch-Site": {"same-origin"}})
	}
	t.Run("the_chosen_one", func(t *testing.T) {
		s := choosing(t)
		if to := s.location(choose(s, other.Principal.OrganizationID)); to != s.console+"/keys" {
			t.Errorf("sent to %s", to)
		}
		if who := s.own(http.MethodPost, "/whoami"); !strings.Contains(who.body, other.Principal.OrganizationID.String()) {
			t.Errorf("logged in as %s", who.body)
		}
	})
	t.Run("one_that_does_not_have_the_person", func(t *testing.T) {
		s := choosing(t)
		if answer := choose(s, uuid.New()); answer.StatusCode != http.StatusForbidden || s.sessions.count() != 0 {
			t.Errorf("status %d: %s", answer.StatusCode, answer.body)
		}
	})
	t.Run("one_that_ended_meanwhile", func(t *testing.T) {
		s := choosing(t)
		s.members.others = nil
		if answer := choose(s, other.Principal.OrganizationID); answer.StatusCode != http.StatusForbidden || s.sessions.count() != 0 {
			t.Errorf("status %d: %s", answer.StatusCode, answer.body)
		}
	})
	t.Run("once", func(t *testing.T) {
		s := choosing(t)
		address, err := url.Parse(s.console)
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		for _, c := range s.Jar.Cookies(address) {
			kept = append(kept, c.Name+"="+c.Value)
		}
		choose(s, ada.OrganizationID)
		s.Client = newBrowser(t)
		again := s.send(http.MethodPost, s.console+authn.ChoicePath, url.Values{"organization": {ada.OrganizationID.String()}},
			http.Header{"Sec-Fetch-Site": {"same-origin"}, "Cookie": {strings.Join(kept, "; ")}})
		if again.StatusCode != http.StatusBadRequest || s.sessions.count() != 1 {
			t.Errorf("status %d, %d sessions", again.StatusCode, s.sessions.count())
		}
	})
	t.Run("asked_for_by_another_site", func(t *testing.T) {
		s := choosing(t)
		answer := s.send(http.MethodPost, s.console+authn.ChoicePath, url.Values{"organization": {ada.OrganizationID.String()}},
			http.Header{"Sec-Fetch-Site": {"cross-site"}})
		if answer.StatusCode != http.StatusBadRequest || s.sessions.count() != 0 {
			t.Errorf("status %d", answer.StatusCode)
		}
	})
	t.Run("without_a_login", func(t *testing.T) {
		s, _ := startLying(t, 0)
		if answer := choose(s, ada.OrganizationID); answer.StatusCode != http.StatusBadRequest || s.sessions.count() != 0 {
			t.Errorf("status %d", answer.StatusCode)
		}
	})
}

func cookieName(s *setup, name string) string {
	return strings.Replace(authn.SessionCookie(s.console), "weir_session", name, 1)
}

// cookieOf is the cookie that an answer sets, as a browser sends it.
func cookieOf(answer page, prefix string) string {
	for _, c := range answer.Cookies() {
		if strings.HasPrefix(c.Name, prefix) && c.Value != "" {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}
