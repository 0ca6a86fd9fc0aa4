package policy

import "strings"

// awsOnly are the actions of AWS IAM and STS that Tacet does not have. A policy that works
// at AWS may name them, and here they match nothing. See the Service Authorization
// Reference.
var awsOnly = map[string]string{
	"iam": `AcceptDelegationRequest AddClientIDToOpenIDConnectProvider AddRoleToInstanceProfile AssociateDelegationRequest ChangePassword
		CreateAccountAlias CreateDelegationRequest CreateInstanceProfile CreateLoginProfile CreateSAMLProvider CreateServiceLinkedRole
		CreateServiceSpecificCredential CreateVirtualMFADevice DeactivateMFADevice DeleteAccountAlias DeleteAccountPasswordPolicy
		DeleteCloudFrontPublicKey DeleteInstanceProfile DeleteLoginProfile DeleteSAMLProvider DeleteSSHPublicKey DeleteServerCertificate
		DeleteServiceLinkedRole DeleteServiceSpecificCredential DeleteSigningCertificate DeleteVirtualMFADevice
		DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions EnableMFADevice
		EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions FetchContextKeysForCustomPolicy
		GenerateCredentialReport GenerateOrganizationsAccessReport GenerateServiceLastAccessedDetails GetAccountAuthorizationDetails
		GetAccountEmailAddress GetAccountName GetAccountPasswordPolicy GetAccountSummary GetCloudFrontPublicKey
		GetContextKeysForCustomPolicy GetContextKeysForPrincipalPolicy GetCredentialReport GetInstanceProfile GetLoginProfile GetMFADevice
		GetOrganizationsAccessReport GetSAMLProvider GetSSHPublicKey GetServerCertificate GetServiceLastAccessedDetails
		GetServiceLastAccessedDetailsWithEntities GetServiceLinkedRoleDeletionStatus ListAccountAliases ListCloudFrontPublicKeys
		ListInstanceProfileTags ListInstanceProfiles ListInstanceProfilesForRole ListMFADeviceTags ListMFADevices
		ListOpenIDConnectProviderTags ListOrganizationsFeatures ListPoliciesGrantingServiceAccess ListSAMLProviderTags ListSAMLProviders
		ListSSHPublicKeys ListSTSRegionalEndpointsStatus ListServerCertificateTags ListServerCertificates ListServiceSpecificCredentials
		ListSigningCertificates ListVirtualMFADevices PassRole RemoveClientIDFromOpenIDConnectProvider RemoveRoleFromInstanceProfile
		ResetServiceSpecificCredential ResyncMFADevice SetSTSRegionalEndpointStatus SetSecurityTokenServicePreferences
		SimulateCustomPolicy SimulatePrincipalPolicy TagInstanceProfile TagMFADevice TagOpenIDConnectProvider TagSAMLProvider
		TagServerCertificate UntagInstanceProfile UntagMFADevice UntagOpenIDConnectProvider UntagSAMLProvider UntagServerCertificate
		UpdateAccountEmailAddress UpdateAccountName UpdateAccountPasswordPolicy UpdateCloudFrontPublicKey UpdateLoginProfile
		UpdateOpenIDConnectProviderThumbprint UpdateSAMLProvider UpdateSSHPublicKey UpdateServerCertificate
		UpdateServiceSpecificCredential UpdateSigningCertificate UploadCloudFrontPublicKey UploadSSHPublicKey UploadServerCertificate
		UploadSigningCertificate`,
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
