"""What makes hueyio at home beside other libraries: a folder and an extra for each, and nothing that hueyio imports."""
