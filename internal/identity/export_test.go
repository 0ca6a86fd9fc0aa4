package identity

import "tacet/internal/jwa"

// SignToken signs claims with the key that signs access tokens.
func (s *Service) SignToken(claims any, h jwa.Header) (string, error) {
	key, err := s.signingKey(s.g.Now())
	if err != nil {
		return "", err
	}
	return key.Sign(claims, h)
}
