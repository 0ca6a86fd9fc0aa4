package policy

import "strings"

// awsOnly are the actions of AWS IAM and STS that Tacet does not have. A policy that works
// at AWS may name them, and here they match nothing. See the Service Authorization
// Reference.
var awsOnly = map[string]string{
	"iam": `AcceptDelegationRequest AddRoleToInstanceProfile AssociateDelegationRequest ChangePassword CreateDelegationRequest
		CreateInstanceProfile CreateLoginProfile CreateSAMLProvider CreateServiceLinkedRole CreateServiceSpecificCredential
		CreateVirtualMFADevice DeactivateMFADevice DeleteAccountPasswordPolicy DeleteCloudFrontPublicKey DeleteInstanceProfile
		DeleteSAMLProvider DeleteSSHPublicKey DeleteServerCertificate DeleteServiceLinkedRole DeleteServiceSpecificCredential
		DeleteSigningCertificate DeleteVirtualMFADevice DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions
		EnableMFADevice EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions FetchContextKeysForCustomPolicy
		GenerateOrganizationsAccessReport GenerateServiceLastAccessedDetails GetAccountEmailAddress GetAccountName
		GetAccountPasswordPolicy GetCloudFrontPublicKey GetInstanceProfile GetMFADevice GetOrganizationsAccessReport GetSAMLProvider
		GetSSHPublicKey GetServerCertificate GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities
		GetServiceLinkedRoleDeletionStatus ListCloudFrontPublicKeys ListInstanceProfileTags ListInstanceProfiles ListMFADeviceTags
		ListOrganizationsFeatures ListPoliciesGrantingServiceAccess ListSAMLProviderTags ListSAMLProviders
		ListSTSRegionalEndpointsStatus ListServerCertificateTags ListServerCertificates PassRole RemoveRoleFromInstanceProfile
		ResetServiceSpecificCredential ResyncMFADevice SetSTSRegionalEndpointStatus SetSecurityTokenServicePreferences
		TagInstanceProfile TagMFADevice TagSAMLProvider TagServerCertificate UntagInstanceProfile UntagMFADevice UntagSAMLProvider
		UntagServerCertificate UpdateAccountEmailAddress UpdateAccountName UpdateAccountPasswordPolicy UpdateCloudFrontPublicKey
		UpdateLoginProfile UpdateSAMLProvider UpdateSSHPublicKey UpdateServerCertificate UpdateServiceSpecificCredential
		UpdateSigningCertificate UploadCloudFrontPublicKey UploadSSHPublicKey UploadServerCertificate UploadSigningCertificate`,
	"sts": `AssumeRoleWithSAML AssumeRoot GetDelegatedAccessToken GetFederationToken GetServiceBearerToken GetWebIdentityToken SetContext`,
}

// elsewhere reports whether AWS has an action that a pattern covers, of a service that is
// here too.
func elsewhere(a *actionPattern) bool {
	for service, names := range awsOnly {
		for _, name := range strings.Fields(names) {
			if a.match(service + ":" + name) {
				return true
			}
		}
	}
	return false
}
